import { z } from 'zod'
import { nearest, oneOf } from '../usage-error.js'

/*
 * The answers that profiles give and that the suite can check, by requirement id. profiles/README.md shows them as a
 * table; vocabulary.test.ts holds the two together.
 */

/** One form that an answer may have. */
export interface AnswerForm {
  /** As the table shows it: words in back-ticks, or prose such as "a name". */
  readonly shown: string
  readonly meaning: string
  readonly schema: z.ZodType
  /** What a mistyped answer may have been meant as: the word itself, or the fields of an object. */
  readonly word?: string
  readonly fields?: readonly string[]
}

const form = (shown: string, schema: z.ZodType, meaning: string): AnswerForm => ({
  shown,
  schema,
  meaning,
  ...(schema instanceof z.ZodObject && { fields: Object.keys(schema.shape) }),
})
const word = (text: string, meaning: string): AnswerForm => ({
  ...form(`\`${text}\``, z.literal(text), meaning),
  word: text,
})
/** An object of one field, whose text the target chooses. */
const named = (field: string, meaning: string): AnswerForm =>
  form(`\`${field}: NAME\``, z.strictObject({ [field]: z.string().min(1) }), meaning)
const period = (field: string, meaning: string): AnswerForm =>
  form(`\`${field}: number\``, z.strictObject({ [field]: z.number().positive() }), meaning)

/** By Pulsar's name, with or without `persistent://`. */
const topicName = z.string().regex(/^(persistent:\/\/)?[^/]+\/[^/]+\/[^/]+$/)
const offsetsTopicInKafkasForm = z.strictObject({
  topic: topicName,
  /** Records and partitions are as in Kafka's offsets topic. */
  format: z.literal('kafka').optional(),
  /** How keys name a group: by its id, or by `tenant/namespace/id`. */
  group: z.enum(['plain', 'full']).default('plain'),
})
/** GC-13. */
export const offsetsTopicAnswer = z.union([topicName, offsetsTopicInKafkasForm])

export const vocabulary: Readonly<Record<string, readonly AnswerForm[]>> = {
  'PH-3': [
    form(
      '`listedButRefused: {Api: [versions]}`',
      z.strictObject({ listedButRefused: z.record(z.string(), z.array(z.int().nonnegative())) }),
      'Versions that ApiVersions lists on purpose and that are refused all the same. Needed only where there are any.',
    ),
  ],
  'MT-1': [
    form(
      '`tenant/namespace`',
      z.string().regex(/^[^/]+\/[^/]+$/),
      'Where a short Kafka name lands. Absent: `public/default`.',
    ),
  ],
  'MT-2': [
    word(
      'offered',
      'Kafka clients may use `tenant/namespace/topic` and `persistent://tenant/namespace/topic`.',
    ),
    word('refused', 'They may not.'),
  ],
  'MT-8': [
    word('refused', 'Creating `foo-partition-0` is INVALID_TOPIC_EXCEPTION.'),
    word('separate', 'It is a topic of its own, which shares nothing with `foo`.'),
  ],
  'MT-11': [
    form(
      'a name',
      z.string().min(1),
      'A system topic that is there from the beginning, by the name that Kafka clients ask for it.',
    ),
  ],
  'MT-12': [
    word(
      'one-partition',
      'A Pulsar topic without partitions is seen from Kafka as a topic of one partition.',
    ),
    word('hidden', 'It is not seen.'),
  ],
  'TL-6': [
    form(
      '`host:port, host:port`',
      z.string().regex(/^[^,]+:\d+(\s*,\s*[^,]+:\d+)*$/),
      'The addresses that the brokers advertise to the listener that the suite asks. Absent: the bootstrap addresses that the run was given.',
    ),
  ],
  'MC-6': [
    word(
      'base64-flag',
      "A key that is not UTF-8 text is a base64 partition key with Pulsar's flag: clients give its bytes.",
    ),
    word('base64-flag-always', 'Every key is.'),
    word('ordering-key', 'Its bytes are the ordering key.'),
  ],
  'MC-7': [
    word(
      'kop.headers',
      'Headers of text are properties of their names, the last one where a name repeats. A record with a header that is not text or null, or whose name repeats, carries all of its headers, in order, in the property `kop.headers` as well: a JSON array of `[name, base64 or null]`.',
    ),
    named('property', 'The same under another property name.'),
  ],
  'MC-8': [
    word('ordering-key-first', 'The Kafka key is the ordering key, else the partition key.'),
    word('partition-key', 'The Kafka key is the partition key; the ordering key is not shown.'),
  ],
  'MC-9': [
    word('event-time-else-publish-time', 'The Kafka timestamp of a message.'),
    word('publish-time', 'Always the publish time.'),
  ],
  'MC-15': [
    word(
      'whole-at-last-chunk',
      'A chunked message is one record, at the offset of its last chunk; the offsets of the others are stepped over.',
    ),
  ],
  'MC-16': [
    named('header', "The record's value is the ciphertext, and it carries this header."),
    word('error', 'Reading it is an error.'),
  ],
  'MC-17': [word('visible-at-once', 'Kafka consumers see a delayed message at once, in offset order.')],
  'MC-19': [
    named('header', 'An entry that cannot be converted is a record with this header, which says why.'),
    word('error', 'Reading it is an error.'),
  ],
  'MC-20': [
    named('header', "The value is the encoded bytes; the schema version's bytes are in this header."),
    word('bytes-only', 'The value is the encoded bytes, and nothing tells the schema.'),
  ],
  'ID-3': [
    word('index', 'Offsets are consecutive, from the broker-entry index.'),
    word('packed', 'Ledger id 20 bits, entry id 32, batch index 12.'),
    word('wrapper', 'Ledger id << 28, or entry id.'),
  ],
  'CO-12': [
    word(
      'in-order-at-one-consumer',
      'Key-shared consumers receive the records of a key in order and at one consumer, also from Kafka batches.',
    ),
    word('first-key-of-batch', 'A batch goes to the consumer of its first key.'),
  ],
  'PT-1': [
    period(
      'syncPeriodMs',
      "Within so many milliseconds a commit is seen on the subscription of the group's name. Absent: 10,000.",
    ),
  ],
  'PT-2': [
    word('messages', "The admin tools' backlog of a subscription counts messages."),
    word('entries', "It counts entries, as Apache Pulsar's does: a Kafka batch is one."),
  ],
  'PT-3': [
    word(
      'tool-wins',
      "A tool's move of a subscription takes effect at once: members of the group start again under a new generation at the new place, and commits of the older one are refused.",
    ),
    word(
      'next-start',
      'The group resumes there when it starts next; members that are active may commit over it.',
    ),
  ],
  'PT-5': [
    period(
      'checkIntervalMs',
      'How often the target looks for what retention drops. Absent, or more than a few seconds: scenarios do not wait for it.',
    ),
  ],
  'PT-7': [
    word(
      'members-exclude',
      'While the group has members on the topic, a Pulsar consumer of its subscription is refused as busy, and one that is connected is closed. While it has none, what Pulsar consumers acknowledge moves its offset.',
    ),
    word('refused', 'Pulsar consumers are refused as busy, whether the group has members or not.'),
    word(
      'separate',
      "Pulsar consumers may always use it; their acknowledgements do not move the group's offset.",
    ),
  ],
  'PT-8': [
    form(
      'a name',
      z.string().min(1),
      "Topic stats have it in a subscription beside Pulsar's own fields: an object with the group's `lag` in messages and its `members`.",
    ),
  ],
  'GC-8': [
    form(
      'a number',
      z.int().nonnegative(),
      'Characters of metadata that a commit may have. Absent: 4096, as in Kafka.',
    ),
  ],
  'GC-10': [
    period(
      'checkIntervalMs',
      'How often the target looks for commits to drop. Absent, or more than a few seconds: scenarios do not wait for it.',
    ),
  ],
  'GC-13': [
    form('`tenant/namespace/topic`', topicName, "The offsets topic, by Pulsar's name."),
    form(
      '`topic: NAME, format: kafka, group: plain or full`',
      offsetsTopicInKafkasForm,
      "Its records have the keys and values of Kafka's offsets topic, and a group has the partition that Kafka gives it; keys name a group by its id (`plain`), or by `tenant/namespace/id` (`full`).",
    ),
  ],
}

/** What the suite cannot check yet, in the target's own words: its scenarios are _unsupported_. */
const otherAnswer = z.strictObject({ other: z.string().min(1) })

export const isOther = (answer: unknown): answer is z.infer<typeof otherAnswer> =>
  otherAnswer.safeParse(answer).success

/**
 * What is wrong with an answer, in one line, if anything; the nearest answer where one is near. Requirements without a
 * vocabulary take any answer: no scenario asks for it yet.
 */
export function answerProblem(requirementId: string, answer: unknown): string | null {
  const forms = vocabulary[requirementId]
  if (forms === undefined || isOther(answer)) return null
  if (forms.some(({ schema }) => schema.safeParse(answer).success)) return null
  const near = typeof answer === 'string' ? nearestWord(answer, forms) : nearestField(answer, forms)
  const remedy =
    near === null
      ? `there ${forms.length === 1 ? 'is' : 'are'} ${oneOf(forms.map(({ shown }) => plain(shown)))}`
      : `did you mean ${near}?`
  return `${typeof answer === 'string' ? answer : JSON.stringify(answer)} is no answer; ${remedy}`
}

const plain = (shown: string): string => shown.replaceAll('`', '')

function nearestWord(answer: string, forms: readonly AnswerForm[]): string | null {
  const words = forms.flatMap((each) => each.word ?? [])
  return nearest(answer, words)
}

function nearestField(answer: unknown, forms: readonly AnswerForm[]): string | null {
  const known = forms.flatMap(({ fields = [] }) => fields)
  const given = typeof answer === 'object' && answer !== null ? Object.keys(answer) : []
  const wrong = given.find((field) => !known.includes(field))
  const near = wrong === undefined ? null : nearest(wrong, known)
  const meant = forms.find(({ fields = [] }) => near !== null && fields.includes(near))
  return meant === undefined ? null : plain(meant.shown)
}
