// grpc-client.cjs HOST:PORT SERVICE
const grpc = require('@grpc/grpc-js');

const [target, service] = process.argv.slice(2);
const client = new grpc.Client(target, grpc.credentials.createSsl());
const same = (x) => x;
const options = { deadline: Date.now() + 15000 };

client.makeUnaryRequest(`/${service}/Greet`, same, same, Buffer.from('you'), new grpc.Metadata(), options, (e, said) => {
	console.log(String(e ?? said));
	if (e) process.exit(1);
	const numbers = [];
	client.makeServerStreamRequest(`/${service}/Count`, same, same, Buffer.alloc(0), new grpc.Metadata(), options)
		.on('data', (d) => numbers.push(String(d)))
		.on('error', (e) => console.log(String(e)))
		.on('end', () => {
			console.log(numbers.join(' '));
			client.close();
		});
});
