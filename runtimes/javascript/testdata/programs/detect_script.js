// A script whose texts have lines like a module's.
const code = `
import x from "y";
export default 5;
`;
console.log(code.trim().split('\n').length, typeof require, typeof module, this === module.exports);
