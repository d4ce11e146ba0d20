import prettier from "eslint-config-prettier";
import vue from "eslint-plugin-vue";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.d.ts", "test-results"] },
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  ...vue.configs["flat/recommended"],
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      "vue/block-lang": ["error", { script: { lang: "ts" } }],
      "vue/block-order": ["error", { order: ["script", "template", "style"] }],
      "vue/component-api-style": ["error", ["script-setup"]],
      // All text of the page is in src/text.
      "vue/no-bare-strings-in-template": "error",
      // The Content-Security-Policy blocks style attributes in markup.
      "vue/no-static-inline-styles": "error",
      "vue/no-v-html": "error",
    },
  },
  { rules: { eqeqeq: "error", "no-console": "error" } },
  { files: ["tests/lighthouse/*.mjs"], rules: { "no-console": "off" } },
  prettier,
);
