/** Pulsar's names of schema types, by their number. */
const typeNames = [
  ...['NONE', 'STRING', 'JSON', 'PROTOBUF', 'AVRO', 'BOOLEAN', 'INT8', 'INT16', 'INT32', 'INT64', 'FLOAT'],
  ...['DOUBLE', 'DATE', 'TIME', 'TIMESTAMP', 'KEY_VALUE', 'INSTANT', 'LOCAL_DATE', 'LOCAL_TIME'],
  ...['LOCAL_DATE_TIME', 'PROTOBUF_NATIVE'],
]

export const schemaTypeName = (type: number): string => typeNames[type] ?? String(type)

/** Undefined when Pulsar has no type of that name. */
export function schemaType(name: string): number | undefined {
  const type = typeNames.indexOf(name)
  return type < 0 ? undefined : type
}
