import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import {
  OtaPackage,
  OtaPackageInfo,
  OtaPackageInfoPage,
  OtaPackageInput,
  OtaPackageUpload,
  OtaPackageUploadQuery,
  PageLink,
  refTo,
  Uuid,
} from '@moorage/api-types';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromOtaPackageInput, otaPackageType, toOtaPackageInfo } from '../entities/ota-package.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { fileHeaders, fileStream, packageWithData } from '../ota/package-streams.ts';
import { UPLOAD_LIMITS, UploadForm } from '../ota/upload-form.ts';
import { ErrorCode } from '../refusals/refusals.ts';
import { validatorCompiler } from '../validation/compilers.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['ota package'];
const TypeName = Type.String({ maxLength: 16, description: 'FIRMWARE or SOFTWARE.' });

/** thingsboard-server.md, 5 */
export async function registerOtaPackageRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  registerRecordRoutes(app, context);
  registerFileRoutes(app, context);
  registerCountRoute(app, context);
  await app.register(async (scope: ApiServer) => registerUploadRoute(scope, context));
}

function registerRecordRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { ota } = context.platform;

  app.post(
    '/otaPackage',
    {
      schema: {
        operationId: 'saveOtaPackageInfo',
        tags,
        summary: 'Create a package without its file, or save its additional information',
        body: refTo(OtaPackageInput),
        response: { 200: refTo(OtaPackageInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await ota.save(callerOf(request), fromOtaPackageInput(request.body));
      return result.ok ? toOtaPackageInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/otaPackage/info/:id',
    {
      schema: {
        operationId: 'getOtaPackageInfo',
        tags,
        summary: 'A package without its file',
        params: IdParams,
        response: { 200: refTo(OtaPackageInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await ota.get(callerOf(request), request.params.id.toLowerCase());
      return result.ok ? toOtaPackageInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/otaPackage/:id',
    {
      schema: {
        operationId: 'deleteOtaPackage',
        tags,
        summary: 'Delete a package that no device and no profile has',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await ota.remove(callerOf(request), request.params.id.toLowerCase());
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/otaPackages',
    {
      schema: {
        operationId: 'getOtaPackages',
        tags,
        summary: 'Packages of the tenant',
        querystring: PageLink,
        response: { 200: refTo(OtaPackageInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await ota.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toOtaPackageInfo) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/otaPackages/:deviceProfileId/:type',
    {
      schema: {
        operationId: 'getOtaPackagesOfProfile',
        tags,
        summary: 'Packages that devices of a profile can be given',
        params: Type.Object({ deviceProfileId: Uuid, type: TypeName }),
        querystring: PageLink,
        response: { 200: refTo(OtaPackageInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const type = otaPackageType(request.params.type);
      if (type === undefined) return unknownType(context, reply, request.params.type);
      const profileId = request.params.deviceProfileId.toLowerCase();
      const query = toPageQuery(request.query);
      const result = await ota.listForProfile(callerOf(request), profileId, type, query);
      return result.ok ? mapPage(result.value, toOtaPackageInfo) : refusals.platform(reply, result);
    },
  );
}

function registerFileRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { ota } = context.platform;

  app.get(
    '/otaPackage/:id',
    {
      schema: {
        operationId: 'getOtaPackage',
        tags,
        summary: 'A package with its file in base64',
        params: IdParams,
        response: { 200: Type.Unsafe<OtaPackage | Readable>(refTo(OtaPackage)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const id = request.params.id.toLowerCase();
      const found = await ota.get(callerOf(request), id);
      if (!found.ok) return refusals.platform(reply, found);
      const info = toOtaPackageInfo(found.value);
      if (!info.hasData || info.url !== null) return { ...info, data: null };
      const download = await ota.download(callerOf(request), id);
      if (!download.ok) return refusals.platform(reply, download);
      return reply.type('application/json; charset=utf-8').send(packageWithData(info, download.value));
    },
  );

  app.get(
    '/otaPackage/:id/download',
    {
      schema: {
        operationId: 'downloadOtaPackage',
        tags,
        summary: 'The file of a package',
        params: IdParams,
        produces: ['application/octet-stream'],
        response: { 200: Type.Unsafe<unknown>({ description: 'The bytes of the file.' }), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const download = await ota.download(callerOf(request), request.params.id.toLowerCase());
      if (!download.ok) return refusals.platform(reply, download);
      return reply.headers(fileHeaders(download.value)).send(fileStream(download.value));
    },
  );
}

function registerCountRoute(app: ApiServer, context: ApiContext): void {
  app.get(
    '/devices/count/:type/:deviceProfileId',
    {
      schema: {
        operationId: 'countDevicesWithoutOwnPackage',
        tags,
        summary: 'How many devices of a profile have no package of their own',
        params: Type.Object({ type: TypeName, deviceProfileId: Uuid }),
        response: { 200: Type.Integer(), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const type = otaPackageType(request.params.type);
      if (type === undefined) return unknownType(context, reply, request.params.type);
      const profileId = request.params.deviceProfileId.toLowerCase();
      const result = await context.platform.ota.countDevices(callerOf(request), type, profileId);
      return result.ok ? result.value : context.refusals.platform(reply, result);
    },
  );
}

/** Alone in its scope: no other call takes a form, and its body is not in memory to be validated. */
async function registerUploadRoute(app: ApiServer, context: ApiContext): Promise<void> {
  const { refusals } = context;
  await app.register(multipart, { limits: UPLOAD_LIMITS, throwFileSizeLimit: false });
  app.setValidatorCompiler((route) =>
    route.httpPart === 'body' ? (body: unknown) => ({ value: body }) : validatorCompiler(route),
  );

  app.post(
    '/otaPackage/:id',
    {
      schema: {
        operationId: 'saveOtaPackageData',
        tags,
        summary: 'Upload the file of a package, once',
        consumes: ['multipart/form-data'],
        params: IdParams,
        querystring: OtaPackageUploadQuery,
        body: OtaPackageUpload,
        response: { 200: refTo(OtaPackageInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      if (!request.isMultipart()) {
        return refusals.object(reply, 415, ErrorCode.badRequest, 'The content type must be multipart/form-data');
      }
      const { checksumAlgorithm = null, checksum = null } = request.query;
      const form = new UploadForm(request.parts(), { checksumAlgorithm, checksum });
      try {
        const upload = await form.open();
        if (upload === null) return refusals.badRequest(reply, "The form has no file: send one as part 'file'");
        const result = await context.platform.ota.upload(callerOf(request), request.params.id.toLowerCase(), upload);
        if (result.ok) return toOtaPackageInfo(result.value);
        // The one limit here is that of the file. thingsboard-server.md, 0.1
        if (result.code === 'limitExceeded') return refusals.object(reply, 413, ErrorCode.badRequest, result.message);
        return refusals.platform(reply, result);
      } finally {
        form.close();
      }
    },
  );
}

function unknownType(context: ApiContext, reply: FastifyReply, name: string) {
  return context.refusals.badRequest(reply, `Unknown type of package: ${name}`);
}
