/**
 * What the server tells of a file's area, or of one that it has changed, in Spanish: its sentence,
 * and how that is said; `$1` and on are its figures. `tests/dispatch/alerting/test_notes.py` finds
 * every sentence here.
 */
export const spanishNotes: readonly (readonly [RegExp, string])[] = [
  [
    /^It has holes, which are filled: who is in one is warned as well\.$/,
    'Tiene huecos, que quedan llenos: quien esté en uno también recibe el aviso.',
  ],
  [/^Its single points were left out\.$/, 'Sus puntos sueltos se dejaron fuera.'],
  [/^It leads to other files, which are not read\.$/, 'Remite a otros archivos, que no se leen.'],
  [/^The strongest wind in it is ([\d,]+) knots\.$/, 'El viento más fuerte es de $1 nudos.'],
  [
    /^It says no times: ([\d.]+) km are warned on each side, all along the track\.$/,
    'No dice horas: se avisa a $1 km de cada lado, a lo largo de toda la trayectoria.',
  ],
  [
    /^The cone is that of the National Hurricane Center \(2023, Atlantic\), and ([\d.]+) km beyond it for the reach of the storm\.$/,
    'El cono es el del Centro Nacional de Huracanes (2023, Atlántico), y $1 km más allá por el alcance de la tormenta.',
  ],
  [
    /^Where it was before \(([\d,]+) points\) was left out\.$/,
    'Por donde pasó antes ($1 puntos) se dejó fuera.',
  ],
  [
    /^What lies more than ([\d.]+) hours ahead was left out\.$/,
    'Lo que queda a más de $1 horas se dejó fuera.',
  ],
  [
    /^It was cut to Belize, its waters and 100 km around\.$/,
    'Se recortó a Belice, sus aguas y 100 km alrededor.',
  ],
  [
    /^The track had ([\d,]+) points and now has ([\d,]+); it is ([\d.]+) km wider for that\.$/,
    'La trayectoria tenía $1 puntos y ahora tiene $2; por eso es $3 km más ancha.',
  ],
  [
    /^The track closes around an area, which is now part of it\.$/,
    'La trayectoria se cierra alrededor de un área, que ahora es parte de ella.',
  ],
  [
    /^The track had ([\d,]+) points and now has ([\d,]+); it reaches up to ([\d,]+) m further than it was drawn, and leaves nothing out\.$/,
    'La trayectoria tenía $1 puntos y ahora tiene $2; llega hasta $3 m más allá de lo dibujado, y no deja nada fuera.',
  ],
  [
    /^The polygon had ([\d,]+) points and now has ([\d,]+); it reaches up to ([\d,]+) m further than it was drawn, and leaves nothing out\.$/,
    'El polígono tenía $1 puntos y ahora tiene $2; llega hasta $3 m más allá de lo dibujado, y no deja nada fuera.',
  ],
];
