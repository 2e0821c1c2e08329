import { defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  base: "/demo/",
  build: { target: "es2023", assetsInlineLimit: 0 },
  worker: { format: "es" },
});

export default config;
