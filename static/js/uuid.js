/** A UUIDv7: a time and chance, so that ids made later sort later. */
export function uuid7(now = Date.now(), chance = crypto.getRandomValues(new Uint8Array(10))) {
  const time = now.toString(16).padStart(12, "0");
  const bytes = Uint8Array.from(chance);
  bytes[0] = (bytes[0] & 0x0f) | 0x70;
  bytes[2] = (bytes[2] & 0x3f) | 0x80;
  const rest = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`;
}
