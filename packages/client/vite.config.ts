import { defineConfig } from "vite";

/** The whole client as one module, for pages without a bundler. */
export default defineConfig({
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2023",
    modulePreload: false,
    rolldownOptions: {
      input: "src/index.ts",
      preserveEntrySignatures: "strict",
      output: { format: "es", entryFileNames: "pm-client.min.js" },
    },
  },
});
