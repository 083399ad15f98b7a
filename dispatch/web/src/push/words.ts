import type { Spoken } from '../strings';

/** What is said of warnings that come when the page is closed. */
const en = {
  title: 'Warnings when this page is closed',
  on: 'On',
  off: 'Off',
  help: 'They come as notifications of this device, through the push service of its browser.',
  impossible: 'This browser cannot show them. Use a present one, at an address with https.',
  blocked: 'Notifications are not allowed. Allow them in the settings of this page.',
  failed: 'It was not changed. Try again when there is a connection.',
};
const es: Spoken<typeof en> = {
  title: 'Avisos cuando esta página está cerrada',
  on: 'Sí',
  off: 'No',
  help: 'Llegan como notificaciones de este aparato, por el servicio de su navegador.',
  impossible: 'Este navegador no puede mostrarlos. Use uno actual, en una dirección con https.',
  blocked: 'Las notificaciones no están permitidas. Permítalas en los ajustes de esta página.',
  failed: 'No se cambió. Intente de nuevo cuando haya conexión.',
};
export const pushWords = { en, es };
