import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Connection } from "../../../static/js/connection.js";

mock.timers.enable({ apis: ["setTimeout"] });

function line({ room = 7, cursor = "c0" } = {}) {
  const sockets = [];
  const open = (url) => {
    const socket = { url, sent: [], send: (text) => socket.sent.push(JSON.parse(text)), close: () => socket.onclose?.() };
    sockets.push(socket);
    return socket;
  };
  const connection = new Connection({ url: "ws://here/ws/rooms/7/", room, cursor, open, chance: () => 1 });
  const hear = (frame) => sockets.at(-1).onmessage({ data: JSON.stringify(frame) });
  const live = () => (hear({ type: "hello" }), hear({ type: "synced", room, cursor: "c1" }));
  return { connection, sockets, hear, live, cut: () => sockets.at(-1).onclose() };
}

test("it is live once its room has caught up, not before", () => {
  const { connection, hear } = line();
  connection.connect();
  hear({ type: "hello" });
  assert.equal(connection.state, "connecting");
  assert.equal(connection.send({ type: "ping" }), false);
  hear({ type: "synced", room: 7, cursor: "c1" });
  assert.equal(connection.state, "live");
});

test("it comes back by itself, with the newest cursor", () => {
  const { connection, sockets, hear, live, cut } = line();
  connection.connect();
  live();
  hear({ type: "messages", room: 7, messages: [], cursor: "c2" });
  hear({ type: "messages", room: 8, messages: [], cursor: "other" });
  cut();
  assert.equal(connection.state, "waiting");
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
  assert.match(sockets[1].url, /render=html&cursor=c2$/);
});

test("it waits twice as long each time, up to half a minute", () => {
  const { connection, cut } = line();
  const waits = [];
  connection.connect();
  for (let time = 0; time < 9; time += 1) {
    cut();
    waits.push(connection.wait);
    mock.timers.tick(connection.wait);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

test("after a reset the old cursor is not used again", () => {
  const { connection, sockets, hear, live, cut } = line();
  connection.connect();
  live();
  hear({ type: "reset", room: 7 });
  cut();
  mock.timers.tick(500);
  assert.doesNotMatch(sockets[1].url, /cursor/);
});

test("a line that has gone silent counts as cut", () => {
  const { connection, sockets, live } = line();
  connection.connect();
  live();
  mock.timers.tick(25_000);
  assert.deepEqual(sockets[0].sent, [{ type: "ping" }]);
  mock.timers.tick(10_000);
  assert.equal(connection.state, "waiting");
});

test("a line that answers stays", () => {
  const { connection, sockets, hear, live } = line();
  connection.connect();
  live();
  for (let time = 0; time < 4; time += 1) {
    mock.timers.tick(25_000);
    hear({ type: "pong" });
  }
  assert.equal(connection.state, "live");
  assert.equal(sockets.length, 1);
});

for (const [name, frame] of Object.entries({
  "being signed out": { type: "bye", reason: "signed_out" },
  "losing the room": { type: "left", room: 7, reason: "removed" },
  "a room that is not there": { type: "error", code: "not_found", room: 7 },
})) {
  test(`${name} is the end`, () => {
    const { connection, sockets, hear, live } = line();
    connection.connect();
    live();
    hear(frame);
    mock.timers.tick(60_000);
    assert.equal(connection.state, "ended");
    assert.equal(sockets.length, 1);
  });
}

test("a restart of the server, or leaving another room, is not", () => {
  const { connection, hear, live, cut } = line();
  connection.connect();
  live();
  hear({ type: "left", room: 8, reason: "removed" });
  hear({ type: "bye", reason: "restarting" });
  cut();
  assert.equal(connection.state, "waiting");
});

test("a refused post about something missing does not end it", () => {
  const { connection, hear, live } = line();
  connection.connect();
  live();
  hear({ type: "error", code: "not_found", room: 7, client_id: "x" });
  assert.equal(connection.state, "live");
});

test("a page without a room is live with the greeting", () => {
  const { connection, hear } = line({ room: null, cursor: null });
  connection.connect();
  hear({ type: "hello" });
  assert.equal(connection.state, "live");
});
