export { type FileBlobs, type FileBlobsOptions, fileBlobs } from './file-blobs.js';
