import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Connection } from "../../../static/js/connection.js";

mock.timers.enable({ apis: ["setTimeout", "Date"] });

function line({ room = 7, cursor = "c0", ...more } = {}) {
  const sockets = [];
  const open = (url) => {
    const socket = { url, sent: [], send: (text) => socket.sent.push(JSON.parse(text)), close: () => socket.onclose?.() };
    sockets.push(socket);
    return socket;
  };
  const connection = new Connection({ url: "ws://here/ws/rooms/7/", room, cursor, open, chance: () => 1, ...more });
  const hear = (frame) => sockets.at(-1).onmessage?.({ data: JSON.stringify(frame) });
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

test("a room that is not there is the end", () => {
  const { connection, sockets, hear } = line();
  connection.connect();
  hear({ type: "hello" });
  hear({ type: "error", code: "not_found", room: 7 });
  mock.timers.tick(60_000);
  assert.deepEqual([connection.state, connection.reason, sockets.length], ["ended", "left", 1]);
});

test("a room that cannot be joined just now is joined by another line, each time a little later", () => {
  const { connection, sockets, hear, live } = line();
  const waits = [];
  connection.connect();
  for (let time = 0; time < 3; time += 1) {
    hear({ type: "hello" });
    hear({ type: "error", code: "unavailable", retryable: true, room: 8 });
    hear({ type: "error", code: "unavailable", retryable: true, room: 7, client_id: "x" });
    assert.equal(connection.state, "connecting");
    hear({ type: "error", code: "unavailable", retryable: true, room: 7 });
    assert.equal(connection.state, "waiting");
    waits.push(connection.wait);
    mock.timers.tick(connection.wait);
  }
  live();
  hear({ type: "error", code: "unavailable", retryable: true, room: 7 });
  assert.deepEqual([connection.state, sockets.length, waits], ["live", 4, [500, 1000, 2000]]);
});

test("something missing in the room, as what a post answers or what was read, does not end it", () => {
  const { connection, hear, live } = line();
  connection.connect();
  live();
  hear({ type: "error", code: "not_found", room: 7, client_id: "x" });
  hear({ type: "error", code: "not_found", room: 7 });
  assert.equal(connection.state, "live");
});

test("a page without a room is live with the greeting", () => {
  const { connection, hear } = line({ room: null, cursor: null });
  connection.connect();
  hear({ type: "hello" });
  assert.equal(connection.state, "live");
});

test("another room is joined with its own cursor, again whenever the line comes back", () => {
  const { connection, sockets, hear, live, cut } = line();
  connection.join(9, "d0");
  connection.connect();
  live();
  assert.deepEqual(sockets[0].sent, [{ type: "join", room: 9, cursor: "d0" }]);
  hear({ type: "messages", room: 9, messages: [], cursor: "d1" });
  assert.deepEqual([connection.others, connection.cursorOf(9), connection.cursorOf(7)], [[9], "d1", "c1"]);
  cut();
  mock.timers.tick(500);
  hear({ type: "hello" });
  hear({ type: "synced", room: 9, cursor: "d1" });
  assert.equal(connection.state, "connecting");
  hear({ type: "synced", room: 7, cursor: "c1" });
  assert.deepEqual(sockets[1].sent, [{ type: "join", room: 9, cursor: "d1" }]);
  hear({ type: "reset", room: 9 });
  connection.leave(9);
  connection.join(9);
  assert.deepEqual(sockets[1].sent.slice(1), [{ type: "leave", room: 9 }, { type: "join", room: 9 }]);
});

test("a room that was left is not joined again, and leaving it is not the end of the page", () => {
  const { connection, sockets, hear, live, cut } = line();
  connection.connect();
  live();
  connection.join(9);
  hear({ type: "left", room: 9 });
  assert.equal(connection.state, "live");
  connection.leave(9);
  cut();
  mock.timers.tick(500);
  live();
  assert.deepEqual(sockets[1].sent, []);
});

test("whatever is heard shows that the line stands", () => {
  const { connection, hear, live } = line();
  connection.connect();
  live();
  mock.timers.tick(25_000);
  hear({ type: "typing", room: 7 });
  mock.timers.tick(15_000);
  assert.equal(connection.state, "live");
});

test("a socket that never comes about is given up", () => {
  const { connection, hear } = line();
  let refused = 0;
  connection.addEventListener("refused", () => (refused += 1));
  connection.connect();
  mock.timers.tick(15_000);
  assert.deepEqual([connection.state, refused], ["waiting", 1]);
  connection.hurry();
  hear({ type: "hello" });
  mock.timers.tick(14_000);
  hear({ type: "messages", room: 7, messages: [], cursor: "c1" });
  mock.timers.tick(14_000);
  assert.equal(connection.state, "connecting");
  mock.timers.tick(1_000);
  assert.equal(connection.state, "waiting");
});

test("who comes back to a line that was silent is not kept waiting for it", () => {
  const { connection, sockets, live } = line();
  connection.connect();
  live();
  connection.wake();
  assert.deepEqual(sockets[0].sent, []);
  mock.timers.tick(6_000);
  connection.wake();
  assert.deepEqual(sockets[0].sent, [{ type: "ping" }]);
  mock.timers.tick(4_000);
  assert.equal(connection.state, "waiting");
  connection.wake();
  assert.equal(connection.state, "connecting");
});

test("a device that slept asks sooner whether the line still stands", () => {
  const { connection, live } = line();
  connection.connect();
  live();
  mock.timers.tick(24_999);
  const later = Date.now() + 3_600_000;
  const slept = mock.method(Date, "now", () => later);
  mock.timers.tick(1);
  slept.mock.restore();
  mock.timers.tick(4_000);
  assert.equal(connection.state, "waiting");
});

for (const [hidden, most] of [[false, 4_000], [true, 20_000]]) {
  test(`after a restart all come back spread out, ${hidden ? "hidden pages last" : "those looked at first"}`, () => {
    const waits = [0, 0.5, 1].map((chance) => {
      const { connection, hear, live, cut } = line({ chance: () => chance, hidden: () => hidden });
      connection.connect();
      live();
      hear({ type: "bye", reason: "restarting" });
      cut();
      return connection.wait;
    });
    assert.deepEqual(waits, [500, (500 + most) / 2, most]);
  });
}

test("a page is not fed what is another's", () => {
  const { connection, hear } = line({ me: 4 });
  const heard = [];
  connection.addEventListener("joined", () => heard.push("joined"));
  connection.connect();
  hear({ type: "hello", user: { id: 5 } });
  hear({ type: "joined", room: { id: 7 }, messages: [], cursor: "x" });
  assert.deepEqual([connection.state, connection.reason, heard], ["ended", "another", []]);
});

test("what came by another way moves the cursor", () => {
  const { connection, sockets } = line();
  connection.connect();
  connection.take({ type: "messages", room: 7, messages: [], cursor: "c9" });
  sockets[0].onclose();
  mock.timers.tick(500);
  assert.match(sockets[1].url, /cursor=c9$/);
});
