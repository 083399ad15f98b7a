/** The service worker that shows warnings which were pushed; it answers for no page. */

import { notify, type Scope } from './notices';

notify(globalThis as unknown as Scope);
