import { apiDocument } from '@potluck/clearinghouse-web';

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly object[];
  readonly parameters: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema: Schema }>> }>>;
}

const HEAD = `/* biome-ignore-all format: made by "npm run docs" of the clearinghouse's document. */
// What the clearinghouse answers to programs: made by "npm run docs", not to be changed by hand.
`;

/** The operations of the document that answer programs in JSON, as types and as a table for the client. */
export function makeOperations(): string {
  const { paths } = apiDocument() as { paths: Record<string, Record<string, Operation>> };
  const types: string[] = [];
  const rows: string[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const result = resultOf(operation);
      if (result === undefined || isForBrowsers(operation)) continue;
      const { operationId: id, summary } = operation;
      types.push(`  /** ${summary} */\n  ${id}: { input: ${inputOf(operation)}; result: ${typeOf(result)} };`);
      rows.push(`  ${id}: ${JSON.stringify({ method: method.toUpperCase(), path, result }, openly)},`);
    }
  }
  const table = `export const OPERATIONS = {\n${rows.join('\n')}\n} as const;`;
  return `${HEAD}\nexport interface Operations {\n${types.join('\n')}\n}\n\n${table}\n`;
}

/** A newer site may say more than the client knows of. */
function openly(key: string, value: unknown): unknown {
  return key === 'additionalProperties' && value === false ? undefined : value;
}

function resultOf({ responses }: Operation): Schema | undefined {
  return Object.values(responses)[0]?.content['application/json']?.schema;
}

/** Those that only a session may ask. */
function isForBrowsers({ security }: Operation): boolean {
  return security.length > 0 && security.every((one) => Object.hasOwn(one, 'session'));
}

function inputOf({ parameters, requestBody }: Operation): string {
  const asked = parameters.map(({ name, required, schema }) => memberOf(name, schema, required));
  const body = requestBody?.content['application/json']?.schema;
  const parts = [...(asked.length > 0 ? [`{ ${asked.join('; ')} }`] : []), ...(body ? [typeOf(body)] : [])];
  return parts.join(' & ') || 'Record<never, never>';
}

function typeOf(schema: Schema): string {
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((one) => JSON.stringify(one)));
  const some = schema.anyOf ?? schema.oneOf;
  if (some !== undefined) return union(some.map(typeOf));
  const { type } = schema;
  if (Array.isArray(type)) return union(type.map((one: string) => typeOf({ ...schema, type: one })));
  switch (type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectOf(schema);
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    default:
      return 'unknown';
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const members = Object.entries(properties).map(([name, schema]) => memberOf(name, schema, required.includes(name)));
  if (members.length > 0) return `{ ${members.join('; ')} }`;
  const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown';
  return `{ [name: string]: ${values} }`;
}

function memberOf(name: string, schema: Schema, isRequired: boolean): string {
  const plain = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  const type = typeOf(schema);
  return isRequired ? `readonly ${plain}: ${type}` : `readonly ${plain}?: ${type} | undefined`;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ');
}
