/** How much waits, on the icon of the tab and of the installed app. */
const SIZE = 64;
const link = document.querySelector("link[rel=icon]");
const plain = link?.href;
let shown = 0;

export async function badge(count) {
  if (count === shown || !link) return;
  shown = count;
  const done = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
  done?.catch(() => {});
  link.href = count ? await drawn(count) : plain;
  if (!shown) link.href = plain;
}

async function drawn(count) {
  const image = new Image(SIZE, SIZE);
  image.src = plain;
  try {
    await image.decode();
  } catch {
    return plain;
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0, SIZE, SIZE);
  pen.fillStyle = "#c2410c";
  pen.beginPath();
  pen.arc(42, 22, 21, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = `700 ${count > 9 ? 25 : 32}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(count > 99 ? "∞" : String(count), 42, 24);
  return canvas.toDataURL("image/png");
}
