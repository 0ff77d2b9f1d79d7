/**
 * One tab after the other: `turn(begin)` calls `begin(release)` when it is ours. A tab that was
 * frozen with the turn in its hand loses it in the end: what it sent bears an id, and is not said
 * twice. Without locks (browsers have them over HTTPS, or for localhost) the ids alone see to that.
 */
const PATIENCE = 15_000;

export function turns(name, locks = globalThis.navigator?.locks) {
  if (!locks) return atOnce;
  return (begin) => {
    const asked = new AbortController();
    const timer = setTimeout(() => asked.abort(), PATIENCE);
    const ours = () => (clearTimeout(timer), new Promise(begin));
    const seize = () => asked.signal.aborted && locks.request(name, { steal: true }, ours);
    locks.request(name, { signal: asked.signal }, ours).catch(seize).catch(lost);
  };
}

export function atOnce(begin) {
  begin(() => {});
}

/** Another tab has seized it. */
function lost() {}
