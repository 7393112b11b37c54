import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiServer } from '../api-context.ts';
import type { DocsSite } from './docs-site.ts';
import { type DocumentedRoute, openApiText } from './document.ts';

/** The OpenAPI document and the pages that show it; both are made at the first request for them and then kept. */
export class DocsPages {
  private readonly routes: readonly DocumentedRoute[];
  private readonly version: string;
  private text: Promise<string> | undefined;
  private site: Promise<DocsSite> | undefined;

  constructor(routes: readonly DocumentedRoute[], version: string) {
    this.routes = routes;
    this.version = version;
  }

  register(app: ApiServer): void {
    const show = (request: FastifyRequest, reply: FastifyReply) => this.show(request, reply);
    app.get('/docs', { schema: { hide: true } }, show);
    app.get('/docs/*', { schema: { hide: true } }, show);
  }

  openApi(): Promise<string> {
    this.text ??= openApiText(this.routes, this.version).catch((error: unknown) => {
      this.text = undefined;
      throw error;
    });
    return this.text;
  }

  async close(): Promise<void> {
    await (await this.site)?.close();
  }

  private async show(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.site ??= this.open().catch((error: unknown) => {
      this.site = undefined;
      throw error;
    });
    const site = await this.site;
    reply.hijack();
    site.handle(request.raw, reply.raw);
  }

  private async open(): Promise<DocsSite> {
    const { openDocsSite } = await import('./docs-site.ts');
    return openDocsSite(await this.openApi());
  }
}
