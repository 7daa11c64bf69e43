export { type FileBlobsOptions, fileBlobs } from './file-blobs.js';
