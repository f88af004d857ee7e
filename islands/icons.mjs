// Copies the Tabler icons that icons.txt names into the build, where the `icon` template tag reads them.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "node_modules/@tabler/icons/icons");

export async function copyIcons(folder) {
  await mkdir(folder, { recursive: true });
  const names = (await readFile(join(here, "icons.txt"), "utf8")).split(/\s+/).filter(Boolean);
  for (const name of names) {
    const filled = name.endsWith("-filled");
    const path = filled ? join(source, "filled", `${name.slice(0, -7)}.svg`) : join(source, "outline", `${name}.svg`);
    const svg = await readFile(path, "utf8").catch(() => {
      throw new Error(`icons.txt names ${name}, which @tabler/icons does not have`);
    });
    const inner = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^\s*<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s*\n\s*/g, "");
    await writeFile(join(folder, `${name}.svg`), inner.trim());
  }
}
