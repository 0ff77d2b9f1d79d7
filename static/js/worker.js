/** The service worker, once the page itself has all it needs. Browsers have one only over HTTPS, or for localhost. */
const worker = navigator.serviceWorker;

function register() {
  worker.register("/sw.js", { updateViaCache: "none" }).catch((error) => console.warn("There is no service worker:", error.message));
}

if (worker && document.readyState === "complete") register();
else if (worker) addEventListener("load", register, { once: true });
