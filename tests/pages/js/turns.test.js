import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { turns } from "../../../static/js/turns.js";

mock.timers.enable({ apis: ["setTimeout"] });

/** Web Locks, as far as one name goes. */
class Locks {
  #holder = null;
  #queue = [];
  request(name, { signal, steal }, deed) {
    return new Promise((resolve, reject) => {
      const asked = { deed, resolve, reject };
      signal?.addEventListener("abort", () => {
        if (this.#holder === asked) return;
        this.#queue = this.#queue.filter((other) => other !== asked);
        reject(signal.reason);
      });
      if (steal) this.#holder?.reject(new Error("stolen"));
      if (steal || !this.#holder) this.#give(asked);
      else this.#queue.push(asked);
    });
  }
  #give(asked) {
    this.#holder = asked;
    asked.deed().then((value) => {
      asked.resolve(value);
      if (this.#holder !== asked) return;
      this.#holder = null;
      if (this.#queue.length) this.#give(this.#queue.shift());
    });
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("one after the other", async () => {
  const turn = turns("o", new Locks());
  const begun = [];
  turn((release) => begun.push(release));
  turn((release) => begun.push(release));
  assert.equal(begun.length, 1);
  begun[0]();
  await settled();
  assert.equal(begun.length, 2);
});

test("a tab that froze with the turn in its hand loses it", async () => {
  const turn = turns("o", new Locks());
  const begun = [];
  turn((release) => begun.push(release));
  turn((release) => begun.push(release));
  mock.timers.tick(15_000);
  await settled();
  assert.equal(begun.length, 2);
});

test("without locks it is everybody's turn", () => {
  let begun = 0;
  turns("o", undefined)(() => (begun += 1));
  assert.equal(begun, 1);
});
