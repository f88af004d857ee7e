import { resolve } from "node:path";
import { defineConfig } from "vite";

const out = resolve(import.meta.dirname, "../src/standfast/services/application/static/dist");

export default defineConfig({
  base: "./", // assets find each other wherever the application serves its static files
  publicDir: false,
  build: {
    outDir: out,
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
    rollupOptions: {
      input: { app: "src/app.ts", charts: "src/charts.ts", code: "src/code.ts" },
    },
  },
  plugins: [
    {
      // `emptyOutDir` would take the icons away, so they are written last.
      name: "icons",
      async closeBundle() {
        const { copyIcons } = await import("./icons.mjs");
        await copyIcons(resolve(out, "icons"));
      },
    },
  ],
});
