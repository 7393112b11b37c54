import type { GatewayLink } from './gateway/gateway-link.ts';
import type { OtaQueue } from './ota/ota-queue.ts';

/** What only some connections have, so that the others do not carry room for it. */
export class ConnectionExtras {
  /** Requests that are being answered, and an estimate of the memory they take. */
  requests = 0;
  requestBytes = 0;
  /** An identity is being made. */
  provisioning = false;
  /** The first answer was sent on a connection that ends some time after it. */
  answered = false;
  ota: OtaQueue | null = null;
  gateway: GatewayLink | null = null;
  /** Stops the timer that ends the connection. */
  cancelClose: (() => void) | null = null;

  close(): void {
    this.cancelClose?.();
    this.cancelClose = null;
    this.ota?.close();
    this.gateway?.close();
  }
}
