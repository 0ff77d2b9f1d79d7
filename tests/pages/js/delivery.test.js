import assert from "node:assert/strict";
import test from "node:test";
import { Delivery } from "../../../static/js/delivery.js";

class Box extends EventTarget {
  log = [];
  open(send) {
    this.send = send;
  }
  close() {
    this.send = null;
  }
  posted(...what) {
    this.log.push(["posted", ...what]);
  }
  refused(id, { code }) {
    this.log.push(["refused", id, code]);
  }
}

function world({ answer = async () => ({ id: 9 }) } = {}) {
  const connection = Object.assign(new EventTarget(), { sent: [], send: (frame) => connection.sent.push(frame) });
  const delivery = new Delivery({ connection, post: answer });
  const say = (type, detail) => connection.dispatchEvent(new CustomEvent(type, { detail }));
  const box = new Box();
  delivery.add(7, box);
  return { connection, delivery, say, box };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("a live socket takes what waits for every room, and its answers find their outbox", () => {
  const { connection, delivery, say, box } = world();
  const other = new Box();
  delivery.add(8, other);
  say("state", "live");
  box.send({ client_id: "a" });
  other.send({ client_id: "b" });
  assert.deepEqual(connection.sent.map(({ room, client_id: id }) => [room, id]), [[7, "a"], [8, "b"]]);
  say("posted", { client_id: "a", message: { id: 3 } });
  say("error", { client_id: "b", code: "room_closed" });
  say("error", { code: "not_found", room: 7 });
  assert.deepEqual(box.log, [["posted", "a", 3], ["refused", "b", "room_closed"]]);
});

test("a socket that is lost closes every way", () => {
  const { say, box } = world();
  say("state", "live");
  say("state", "waiting");
  assert.equal(box.send, null);
});

test("without a socket it goes by HTTP, and is answered alike", async () => {
  const { delivery, box } = world();
  delivery.go("http");
  assert.equal(box.send({ client_id: "a" }), true);
  await settled();
  assert.deepEqual(box.log, [["posted", "a", 9]]);
});

test("what HTTP refuses is refused, but what nobody may say now waits for its writer", async () => {
  let error = { status: 409, code: "room_closed" };
  const { delivery, box } = world({ answer: async () => Promise.reject(error) });
  delivery.go("http");
  box.send({ client_id: "a" });
  await settled();
  assert.deepEqual(box.log, [["refused", "a", "room_closed"]]);
  error = { status: 401 };
  box.send({ client_id: "a" });
  await settled();
  assert.equal(box.log.length, 1);
  assert.equal(delivery.way, null);
  assert.equal(box.send, null);
});

test("an outbox that takes another's place is fed alone", () => {
  const { delivery, say, box } = world();
  say("state", "live");
  const other = new Box();
  delivery.add(7, other);
  assert.equal(box.send, null);
  assert.ok(other.send);
  delivery.remove(7);
  assert.equal(other.send, null);
});
