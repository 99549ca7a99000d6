export { Clearinghouse, type ClearinghouseInit } from './clearinghouse.ts';
export { PortalError, ServiceError, TaskError } from './errors.ts';
export { apiDocument } from './site/document.ts';
export { ROUTES } from './site/routes.ts';
