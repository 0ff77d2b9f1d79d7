/** The time of the last one made here, and how many have been made in its millisecond. */
const last = { time: 0, count: 0 };

/** A UUIDv7: a time, a count and chance, so that ids made later sort later, also where the clock is put back. */
export function uuid7(now = Date.now(), chance = crypto.getRandomValues(new Uint8Array(8))) {
  const fresh = now > last.time || last.count === 0xfff;
  Object.assign(last, fresh ? { time: Math.max(now, last.time + 1), count: 0 } : { count: last.count + 1 });
  const time = hex(last.time, 12);
  const bytes = Uint8Array.from(chance);
  bytes[0] = (bytes[0] & 0x3f) | 0x80;
  const rest = Array.from(bytes, (byte) => hex(byte, 2)).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(last.count, 3)}-${rest.slice(0, 4)}-${rest.slice(4)}`;
}

function hex(number, digits) {
  return number.toString(16).padStart(digits, "0");
}
