/** The import rules of ARCHITECTURE.md. `from` may not reach `to`; what is not named may. */
const rule = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to,
})
const only = (name, from, allowed, comment) =>
  rule(name, from, { path: '^(reference|steps|matrix)/', pathNot: [`${from}`, ...allowed] }, comment)

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    only('base-imports-nothing', '^reference/base/', [], 'base is the ground'),
    only('storage-stands-on-base', '^reference/storage/', ['^reference/base/']),
    only('offsets-stand-on-base', '^reference/offsets/', ['^reference/base/']),
    only(
      'group-step-is-pure',
      '^reference/groups/(step|consumer/(step|state|slots|targets|reconcile|identify|assignors|regex))',
      ['^reference/base/', '^reference/groups/(consumer-protocol|group-store|offset-store|group-key)\\.ts$'],
      'shapes and pure functions only: no store, no clock',
    ),
    only('kafka-wire-stands-on-base', '^reference/kafka/wire/', [
      '^reference/base/',
      '^reference/entry-format/types\\.ts$',
      '^reference/topics/types\\.ts$',
    ]),
    only('kafka-messages-stand-on-wire', '^reference/kafka/messages/', [
      '^reference/base/',
      '^reference/kafka/wire/',
    ]),
    only('pulsar-wire-stands-on-base', '^reference/pulsar/wire/', ['^reference/base/']),
    rule(
      'kafka-knows-no-pulsar',
      '^reference/kafka/',
      { path: '^reference/pulsar/' },
      'they meet in entry-format and topics',
    ),
    rule(
      'pulsar-knows-no-kafka',
      '^reference/pulsar/',
      { path: '^reference/kafka/' },
      'they meet in entry-format and topics',
    ),
    rule('entry-format-uses-wire-only', '^reference/entry-format/', {
      path: '^reference/(kafka|pulsar)/',
      pathNot: '^reference/(kafka|pulsar)/wire/',
    }),
    rule('only-the-broker-composes', '^reference/(?!broker|command|index|main|testing|mutants/)', {
      path: '^reference/(broker/|(broker|main)\\.ts$)',
    }),
    rule(
      'independent-eyes',
      '^(steps|matrix)/',
      { path: '^reference/' },
      'the suite never judges the reference with its own codec',
    ),
    rule('reference-stands-alone', '^reference/', { path: '^(steps|matrix)/' }),
    rule('production-imports-no-tests', '', { path: '\\.test\\.ts$' }),
  ],
  options: {
    tsPreCompilationDeps: true,
    parser: 'swc',
    exclude: { path: '(^|/)(dist|node_modules)/' },
  },
}
