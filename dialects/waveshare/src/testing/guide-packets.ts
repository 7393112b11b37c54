/** The packets that a device sends first, as bytes. */
export interface FirstPackets {
  readonly connect: Uint8Array;
  readonly subscribe: Uint8Array;
  readonly publish: Uint8Array;
}

interface Sender {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Seconds. */
  readonly keepAlive: number;
  readonly subTopic: string;
  readonly pubTopic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
}

const encoder = new TextEncoder();

function prefixed(text: string): number[] {
  const bytes = encoder.encode(text);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

function packet(firstByte: number, body: readonly number[]): Uint8Array {
  const length: number[] = [];
  let rest = body.length;
  do {
    const digit = rest & 0x7f;
    rest >>= 7;
    length.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return Uint8Array.from([firstByte, ...length, ...body]);
}

/** By hand and by the letter of MQTT 3.1.1, so that nothing of the server's own writer is trusted. */
function firstPackets(sender: Sender): FirstPackets {
  const { clientId, username, password, keepAlive, subTopic, pubTopic, payload, qos } = sender;
  const flags = 0x02 | (username === null ? 0 : 0x80) | (password === null ? 0 : 0x40);
  const login = [...(username === null ? [] : prefixed(username)), ...(password === null ? [] : prefixed(password))];
  const variable = [...prefixed('MQTT'), 4, flags, keepAlive >> 8, keepAlive & 0xff];
  const identifier = qos === 0 ? [] : [0, 2];
  return {
    connect: packet(0x10, [...variable, ...prefixed(clientId), ...login]),
    subscribe: packet(0x82, [0, 1, ...prefixed(subTopic), qos]),
    publish: packet(0x30 | (qos << 1), [...prefixed(pubTopic), ...identifier, ...encoder.encode(payload)]),
  };
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new TypeError(`the text has nothing like ${pattern}`);
  return match;
}

/** What PubSubClient sends for the Arduino sketch of the connection guide: no QoS, no RETAIN, no Will, clean session. */
export function sketchPackets(sketch: string): FirstPackets {
  const constant = (name: string): string => {
    const literal: unknown = JSON.parse(found(sketch, new RegExp(`^const char\\* ${name} = (".*");$`, 'm')));
    return String(literal);
  };
  const hasPassword = found(sketch, /mqtt\.connect\((.*?)\)/) === 'CLIENT_ID, CLIENT_ID, PASSWORD';
  const printed = found(sketch, /^ {2}String text = String\((".*")\) \+ led \+ "}}";$/m);
  return firstPackets({
    clientId: constant('CLIENT_ID'),
    username: hasPassword ? constant('CLIENT_ID') : null,
    password: hasPassword ? constant('PASSWORD') : null,
    keepAlive: Number(found(sketch, /mqtt\.setKeepAlive\((\d+)\);/)),
    subTopic: constant(found(sketch, /mqtt\.subscribe\((\w+)\)/)),
    pubTopic: constant(found(sketch, /mqtt\.publish\((\w+), text\.c_str\(\)\)/)),
    payload: `${JSON.parse(printed)}${found(sketch, /^int led = (\d+);$/m)}}}`,
    qos: 0,
  });
}

/** What a modem sends for the AT commands of the connection guide. Throws where a length is not that of what is typed. */
export function modemPackets(commands: string): FirstPackets {
  const lines = commands.split('\n');
  const typed = (command: string): string => {
    const at = lines.findIndex((line) => line.startsWith(`AT+${command}=0,`));
    const text = lines[at + 1] ?? '';
    const length = Number(lines[at]?.split(',')[1]);
    if (encoder.encode(text).length !== length) throw new TypeError(`${command} says ${length} bytes for ${text}`);
    return text;
  };
  const parameters = found(commands, /^AT\+CMQTTCONNECT=0,"[^"]*",(.*)$/m);
  const [keepAlive, cleanSession, username, password] = parameters.split(',');
  if (cleanSession !== '1') throw new TypeError('the modem keeps its session');
  return firstPackets({
    clientId: found(commands, /^AT\+CMQTTACCQ=0,"([^"]*)",[01]$/m),
    username: username?.slice(1, -1) ?? null,
    password: password?.slice(1, -1) ?? null,
    keepAlive: Number(keepAlive),
    subTopic: typed('CMQTTSUB'),
    pubTopic: typed('CMQTTTOPIC'),
    payload: typed('CMQTTPAYLOAD'),
    qos: 1,
  });
}
