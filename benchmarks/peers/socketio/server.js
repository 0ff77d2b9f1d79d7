// A chat as the tutorial of socket.io has it (https://socket.io/docs/v4/tutorial/introduction), with rooms and
// better-sqlite3: each message is stored, then sent to everybody in its room. No authentication, no rendering.
"use strict";
const { createServer } = require("node:http");
const Database = require("better-sqlite3");
const { Server } = require("socket.io");

const [port, path] = process.argv.slice(2);

const database = new Database(path);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec(`
  CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, room TEXT, content TEXT, created_at INTEGER);
  CREATE INDEX IF NOT EXISTS messages_of_room ON messages (room, id);
`);
const insert = database.prepare("INSERT INTO messages (room, content, created_at) VALUES (?, ?, ?)");

const server = createServer();
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

io.on("connection", (socket) => {
  socket.on("join", (room, joined) => {
    socket.data.room = room;
    socket.join(room);
    joined();
  });
  socket.on("message", (content) => {
    const { room } = socket.data;
    const { lastInsertRowid } = insert.run(room, content, Date.now());
    io.to(room).emit("message", content, Number(lastInsertRowid));
  });
});

server.listen(Number(port), "127.0.0.1");
