/** The version of this program. */
import { readFileSync } from 'node:fs';
import { packageRoot } from '#lake/package-root';

/** The version of this program, of its package.json. */
export function readVersion(): string {
    const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8'));
    const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
    return isManifest ? String(manifest.version) : 'unknown';
}
