/** Whether a key pushes a button: then holding it holds the button. */
export const pushes = ({ key }: KeyboardEvent): boolean => key === ' ' || key === 'Enter';
