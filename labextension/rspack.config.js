// What the builder's own configuration lacks to bundle TypeScript as it stands: each file is compiled by itself, without
// types. That needs no compiler and none of JupyterLab's packages beside it, which are most of what there is to download;
// `jlpm check` holds the types.
module.exports = {
  resolve: { extensions: ['.tsx', '.ts', '...'] },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: 'builtin:swc-loader',
        options: {
          jsc: {
            parser: { syntax: 'typescript', tsx: true },
            transform: { react: { runtime: 'automatic' }, useDefineForClassFields: false },
            target: 'es2020'
          }
        }
      }
    ]
  }
};
