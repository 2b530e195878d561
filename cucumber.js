/*
 * For editors and `npx cucumber-js --dry-run`: where features and step definitions are. Real runs go through
 * `kop-conformance run`, which gives each scenario its clients and its target.
 */
export default {
  paths: ['features/**/*.feature'],
  import: ['dist/steps/**/!(*.test).js'],
  strict: true,
}
