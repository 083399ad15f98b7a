import type { Where } from './findings';

const LENGUAS: Record<string, string> = { 'en-BZ': 'inglés', 'es-BZ': 'español', bzj: 'kriol' };
const CAMPOS: Record<string, string> = {
  event: '«Qué es»',
  headline: '«Titular»',
  description: '«Qué se sabe»',
  instruction: '«Qué hacer»',
  short: '«Texto corto»',
};
const CANALES: Record<string, string> = {
  sms: 'SMS',
  cell: 'difusión celular',
  radio_text: 'texto de radio',
  spoken: 'radio hablada',
  push: 'notificación',
};
const ESCALAS: Record<string, string> = {
  urgency: 'La urgencia',
  severity: 'La gravedad',
  certainty: 'La certeza',
};

const lengua = ({ tongue }: Where): string => LENGUAS[tongue] ?? tongue;
const campo = ({ field }: Where): string => CAMPOS[field] ?? '«Texto»';
const canal = ({ field }: Where): string => CANALES[field] ?? field;

/** A sentence, for where it is, and with what is read in the server's own. */
type Saying = (where: Where, english: string) => string;

/** What the check and the refusals say, in Spanish, by their code (docs/warnings.md has all). */
export const spanishFindings: Readonly<Record<string, Saying>> = {
  'warning.status': () =>
    'Es un borrador, o es para máquinas. Elija si es real, un simulacro o una prueba.',
  'warning.exercise_unnamed': () =>
    'Es para un simulacro y no dice cuál. Nombre el simulacro en la nota.',
  'warning.event_missing': () =>
    'No dice de qué tipo de suceso trata. Elija una plantilla, o un tipo y una categoría.',
  'warning.no_channel': () => 'No se eligió ningún canal: no llegaría a nadie. Elija al menos uno.',
  'warning.unknown': ({ field }) =>
    `${ESCALAS[field] ?? 'Un valor'} es desconocida; quien elige por ella quizá no muestre el aviso. Diga lo más probable.`,
  'warning.no_area': () =>
    'No se eligió ninguna zona. Dibújela, o elija un distrito, un pueblo o una trayectoria.',
  'warning.area_changed': () =>
    'La zona tiene ahora otra forma, con menos puntos, y no deja a nadie fuera. Mírela en el mapa.',
  'warning.send_at_past': () =>
    'La hora de envío ya pasó. Se envía en cuanto se apruebe; elija otra hora si no es lo que quiere.',
  'warning.no_end': () =>
    'No dice hasta cuándo vale. Elija cuándo termina; hasta entonces se puede actualizar.',
  'warning.begins_late': () =>
    'Termina antes de que empiece aquello de lo que avisa. Revise el comienzo y el final.',
  'warning.expired': () =>
    'Terminaría antes de que nadie pudiera actuar. Elija un final más tarde.',
  'warning.too_long_in_force': () =>
    'Valdría más de siete días. Elija un final anterior, y actualícelo mientras dure el peligro.',
  'warning.language_missing': (where) =>
    `No hay texto en ${lengua(where)}. Escríbalo, o elija una plantilla que lo tenga.`,
  'warning.language_twice': (where) => `Hay varios textos en ${lengua(where)}. Únalos.`,
  'warning.words_missing': (where) =>
    `${campo(where)} en ${lengua(where)} está vacío. Escríbalo; quien solo lea esto debe saber qué pasa y qué hacer.`,
  'warning.headline_long': (where) =>
    `El titular en ${lengua(where)} es más largo de lo que muestran algunas pantallas. Diga menos en él, y el resto en la descripción.`,
  'warning.cancel_unsaid': (where) =>
    `En ${lengua(where)} la cancelación tiene el titular de lo que cancela. Diga que terminó, en el titular, en qué hacer y en el texto corto.`,
  'warning.channel_left': () =>
    'Quien fue avisado por un canal que aquí falta no sabrá de esto. Elija todos los canales por los que salió el aviso.',
  'warning.old_end': (where) =>
    `${campo(where)} en ${lengua(where)} dice cuándo iba a terminar antes. Diga hasta cuándo vale ahora.`,
  'warning.old_words': (where) =>
    `En ${lengua(where)} dice lo mismo que antes, y en otra lengua ya no. Diga también allí lo nuevo, si no fue solo una corrección.`,
  'warning.blank_left': (where) =>
    `${campo(where)} en ${lengua(where)} tiene todavía un hueco. Complételo o quítelo.`,
  'warning.looks_like_exercise': (where) =>
    `${campo(where)} en ${lengua(where)} empieza como un simulacro o una prueba, y esto es real. Quite esa palabra, o cambie el carácter.`,
  'warning.too_long': (where) =>
    `En ${lengua(where)} no cabe por ${canal(where)}. Escriba un texto corto, o acorte qué hacer.`,
  'warning.sms_letters': (where) =>
    `En ${lengua(where)} harían falta menos mensajes cortos con letras simples. Elíjalas, o evite letras como á e í.`,
  'warning.sms_parts': (where) =>
    `En ${lengua(where)} hacen falta más de tres mensajes cortos por teléfono. Acórtelo, para que llegue antes.`,
  'area.nameless': () => 'La zona no tiene nombre. Diga con palabras dónde es.',
  'area.empty': () => 'No se eligió nada. Dibuje o elija una zona.',
  'area.few_points': () =>
    'El polígono tiene menos de tres puntos distintos. Dibuje al menos tres esquinas.',
  'area.many_points': () => 'Tiene demasiados puntos. Dibújelo con menos, o elija el distrito.',
  'area.many_parts': () =>
    'La zona tiene demasiadas partes. Dibuje un polígono alrededor de varias.',
  'area.off_earth': () => 'Un punto no es ninguna posición de la Tierra. Revise los números.',
  'area.crosses': (_, english) => {
    const [, lon, lat] = /longitude (-?[\d.]+), latitude (-?[\d.]+)/.exec(english) ?? [];
    const where = lon ? ` cerca de longitud ${lon}, latitud ${lat}` : '';
    return `El borde se cruza a sí mismo${where}. Mueva las esquinas hasta que no se cruce.`;
  },
  'area.radius': () => 'Ese radio no puede ser. Dé más de 0 y a lo sumo 500 km.',
  'area.district': () => 'No existe ese distrito. Elija uno de la lista.',
  'area.elsewhere': () =>
    'La zona queda lejos de Belice. Revise que latitud y longitud no estén cambiadas, y el signo.',
  'area.too_large': () =>
    'La zona es mucho mayor que Belice y su mar. Dibuje la zona que está en peligro aquí.',
  'area.too_small': () =>
    'La zona no encierra casi nada. Dibújela más grande, o elija un radio alrededor de un punto.',
  'file.unknown': () =>
    'El archivo no es GeoJSON, KML, KMZ ni GPX, ni un shapefile comprimido. Guarde la zona como uno de ellos; de un shapefile, ponga .shp, .dbf y .prj en un .zip.',
  'file.too_large': () => 'El archivo tiene más de 5 MB. Guarde solo la zona, con menos puntos.',
  'file.broken': () => 'El archivo no se puede leer. Guárdelo de nuevo, o dibuje la zona.',
  'file.nothing': () =>
    'El archivo no tiene ni polígono ni trayectoria. Guarde la zona misma: un polígono, una línea, o puntos seguidos.',
  'file.many_points': () =>
    'El archivo tiene demasiados puntos o figuras. Guarde solo la zona de la que se avisa.',
  'file.packed': () =>
    'El archivo comprimido tiene demasiado, o no tiene un único shapefile. Ponga en él .shp, .dbf y .prj de uno solo.',
  'file.system': () =>
    'Sus posiciones no son longitud y latitud, o están en un sistema que no se entiende. Guárdelo en WGS 84 (EPSG:4326); de un shapefile, añada su .prj.',
  own_words: () =>
    'Usted escribió este aviso, o una parte; otra persona debe aprobarlo. Pida a otro aprobador, o en una emergencia apruébelo a solas y diga por qué.',
  not_the_warner: () =>
    'Su agencia no avisa al público; lo hace una sola en nombre de todas. Diga a esa agencia de qué hay que avisar.',
  phrase: () =>
    'Este aviso es real, y no se escribieron las palabras que lo dicen. Escríbalas como se muestran.',
  already_sent: () =>
    'Ya se envió, y no se envía otra vez. Mire en el informe a quién llegó; actualícelo si debe decir más.',
  expired: () =>
    'Terminaría antes de que nadie pudiera actuar, así que no se envió. Elija un final más tarde y haga que se apruebe de nuevo.',
};
