import type { DeviceCommand, Listening, ListeningEnd } from '@moorage/dialect-api';
import type { CommandTarget, Delivered, Heard } from '../commands/command-target.ts';

/** What a listener needs of the desk it belongs to. */
export interface ListenerHome {
  closed(listener: DeskListener): void;
  fault(error: unknown): void;
}

/** A request that waits for commands: a poll, or an observation. */
export class DeskListener implements CommandTarget, Listening {
  readonly deviceId: string;
  readonly #home: ListenerHome;
  readonly #kinds: readonly DeviceCommand['kind'][];
  readonly #take: (command: DeviceCommand, delivered: (arrived: boolean) => void) => boolean;
  readonly #ended: (why: ListeningEnd) => void;
  #open = true;

  constructor(
    home: ListenerHome,
    deviceId: string,
    kinds: readonly DeviceCommand['kind'][],
    take: (command: DeviceCommand, delivered: (arrived: boolean) => void) => boolean,
    ended: (why: ListeningEnd) => void,
  ) {
    this.#home = home;
    this.deviceId = deviceId;
    this.#kinds = kinds;
    this.#take = take;
    this.#ended = ended;
  }

  get kind(): 'listener' {
    return 'listener';
  }

  get open(): boolean {
    return this.#open;
  }

  hears(kind: DeviceCommand['kind']): boolean {
    return this.#kinds.includes(kind);
  }

  hear(command: DeviceCommand, delivered?: Delivered): Heard {
    if (!this.#open || !this.hears(command.kind)) return 'notSubscribed';
    let told = false;
    const arrived = (yes: boolean): void => {
      if (told) return;
      told = true;
      delivered?.(yes ? 'acknowledged' : 'lost');
    };
    try {
      return this.#take(command, arrived) ? 'sent' : 'notSubscribed';
    } catch (error) {
      this.#home.fault(error);
      return 'notSubscribed';
    }
  }

  /** Listening ends by the server's will. */
  end(why: ListeningEnd): void {
    if (!this.#open) return;
    this.close();
    try {
      this.#ended(why);
    } catch (error) {
      this.#home.fault(error);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#home.closed(this);
  }
}
