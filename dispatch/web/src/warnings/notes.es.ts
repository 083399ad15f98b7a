/**
 * What was changed of a file's area, or left out of it, in Spanish, by its code (docs/warnings.md
 * has all); `{points}` is a figure of it.
 */
export const spanishNotes: Readonly<Record<string, string>> = {
  'note.holes': 'Tiene huecos, que quedan llenos: quien esté en uno también recibe el aviso.',
  'note.points': 'Sus puntos sueltos se dejaron fuera.',
  'note.links': 'Remite a otros archivos, que no se leen.',
  'note.wind': 'El viento más fuerte es de {knots} nudos.',
  'note.no_times': 'No dice horas: se avisa a {km} km de cada lado, a lo largo de toda ella.',
  'note.cone':
    'El cono es el del Centro Nacional de Huracanes (2023, Atlántico), y {km} km más allá por el alcance de la tormenta.',
  'note.before': 'Por donde pasó antes se dejó fuera (puntos: {points}).',
  'note.after': 'Lo que queda a más de {hours} horas se dejó fuera.',
  'note.cut': 'Se recortó a Belice, sus aguas y {km} km alrededor.',
  'note.track_thinned':
    'La trayectoria tenía {points} puntos y ahora tiene {kept}; por eso es {km} km más ancha.',
  'note.track_closed': 'La trayectoria se cierra alrededor de un área, que ahora es parte de ella.',
  'note.track_simplified':
    'La trayectoria tenía {points} puntos y ahora tiene {kept}; llega hasta {metres} m más allá de lo dibujado, y no deja nada fuera.',
  'note.polygon_simplified':
    'El polígono tenía {points} puntos y ahora tiene {kept}; llega hasta {metres} m más allá de lo dibujado, y no deja nada fuera.',
};
