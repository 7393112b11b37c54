import type { DeviceRef } from '@moorage/core';
import type { DeviceCoapAnswer, DeviceCommand, DeviceDesk, Listening } from '@moorage/dialect-api';
import { jsonAnswer, observationEnded } from './coap-answers.ts';

export interface Observing {
  readonly kind: DeviceCommand['kind'];
  /** The notifications that a command needs; none: it is not for this observation. */
  readonly texts: (command: DeviceCommand) => readonly string[];
  readonly notify: (answer: DeviceCoapAnswer) => Promise<boolean>;
  readonly end: (answer: DeviceCoapAnswer) => void;
}

/** Open observations; a device has one of a kind. Section 10 */
export class CoapObservations {
  private readonly open = new Map<string, () => void>();

  /** Hears the commands of the device until the returned function is called; the older observation ends with 2.02. */
  begin(desk: DeviceDesk, device: DeviceRef, { kind, texts, notify, end }: Observing): () => void {
    const key = `${device.id}|${kind}`;
    this.open.get(key)?.();
    let listening: Listening | null = null;
    let over = false;
    const close = (): void => {
      if (over) return;
      over = true;
      if (this.open.get(key) === replaced) this.open.delete(key);
      listening?.close();
    };
    const endWith = (answer: DeviceCoapAnswer): void => {
      if (over) return;
      close();
      end(answer);
    };
    const replaced = (): void => endWith(observationEnded('replaced'));
    this.open.set(key, replaced);
    listening = desk.listen(
      device,
      [kind],
      (command, delivered) => {
        const payloads = over ? [] : texts(command);
        if (payloads.length === 0) return false;
        Promise.all(payloads.map((payload) => notify(jsonAnswer('2.05', payload)))).then((arrived) =>
          delivered(arrived.every((one) => one)),
        );
        return true;
      },
      (why) => endWith(observationEnded(why)),
    );
    if (over) listening.close();
    return close;
  }

  get size(): number {
    return this.open.size;
  }
}
