// Lint is for what the compiler cannot see: promises nobody waits for, values imported as types,
// floors crossed by the renderer. No rule about looks; `npm run typecheck` says the rest.
import tseslint from 'typescript-eslint'
import vue from 'eslint-plugin-vue'

const typeAware = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-unnecessary-type-assertion': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/restrict-plus-operands': 'error',
}

const plain = {
  eqeqeq: 'error',
  'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'named exports only (style.md)' }],
  'no-debugger': 'error',
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-self-compare': 'error',
  'no-unsafe-finally': 'error',
  'no-unreachable-loop': 'error',
  'prefer-const': 'error',
}

export default tseslint.config(
  { ignores: ['out/', 'dist/', '.runtime/', 'node_modules/', 'test-results/', 'test/vectors/', 'resources/'] },
  {
    files: ['**/*.ts', '**/*.vue'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: {
        project: ['./tsconfig.json', './renderer/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    rules: { ...plain, ...typeAware },
  },
  ...vue.configs['flat/essential'].map((config) => ({ ...config, files: ['**/*.vue'] })),
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: { 'vue/multi-word-component-names': 'off', 'vue/no-v-html': 'error', 'no-restricted-syntax': 'off' },
  },
  { files: ['*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], rules: { ...plain, 'no-restricted-syntax': 'off' } },
)
