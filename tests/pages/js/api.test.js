import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { querySelector: () => null, cookie: "" };
const { api } = await import("../../../static/js/api.js");

const answers = (body, options) => (globalThis.fetch = async () => new Response(body, options));

test("a success that came in part may be tried again", async () => {
  answers('{"id": 9, "bo', { status: 201 });
  await assert.rejects(api("messages/"), { status: 0, retryable: true });
});

test("a success without words is nothing to be told", async () => {
  answers(null, { status: 204 });
  assert.equal(await api("rooms/1/"), null);
});

test("what is refused says why, as far as that can be read", async () => {
  answers('{"error": {"code": "room_closed", "retryable": false}}', { status: 409 });
  await assert.rejects(api("messages/"), { status: 409, code: "room_closed", retryable: false });
  answers("<h1>Bad gateway</h1>", { status: 502 });
  await assert.rejects(api("messages/"), { status: 502, retryable: true });
});
