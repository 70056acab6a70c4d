import { Load, ServerProcess, type Workload } from './load.ts'
import { execFileSync } from 'node:child_process'
const pin=(pid:number,l:string)=>{for(const p of [pid,process.pid])execFileSync('taskset',['-apc',l,String(p)])}
const [inf='1', modes='0,-1,1', ms='500', slices='20', size='64', conns='50', names='raw view,raw view,raw string', fan='']=process.argv.slice(2)
const q=(v:number[],p:number)=>{const s=v.toSorted((a,b)=>a-b);const k=(s.length-1)*p;const i=Math.floor(k);return s[i]!+((s[i+1]??s[i]!)-s[i]!)*(k-i)}
const list=names.split(',')
const cells:{srv:ServerProcess,pin:string,name:string,mode:number,load:Load,cost:number[],rate:number[],client:number[]}[]=[]
const kill:ServerProcess[]=[]
for(const name of list){const s=await ServerProcess.start(name);kill.push(s);for(const m of modes.split(',').map(Number)) for(const pn of ['0','0,1']) cells.push({srv:s,pin:pn,name,mode:m,load:await Load.on(s,{name:'',connections:+conns,inFlight:+inf,size:+size,every:m,fan:fan==='fan'}),cost:[],rate:[],client:[]})}
const wait=(n:number)=>new Promise(r=>setTimeout(r,n))
for(const c of cells){c.load.start();await wait(700);c.load.stop();await wait(50)}
for(let i=0;i<+slices;i++)for(let j=0;j<cells.length;j++){const c=cells[(i+j)%cells.length]!;c.load.start();pin(c.srv.pid, c.pin);await wait(50);const s=await c.load.sample(+ms);c.load.stop();await wait(30);c.cost.push(s.cost);c.rate.push(s.rate);c.client.push(s.client)}
for(const m of modes.split(',').map(Number))for(const pn of ['0','0,1']){const own=cells.filter(c=>c.mode===m&&c.pin===pn);const b=own[0]!
for(const c of own){const r=c.cost.map((x,i)=>x/b.cost[i]!)
console.log(String(m).padStart(3),c.name.padEnd(16),'med',q(c.cost,.5).toFixed(2),'q',q(c.cost,.25).toFixed(2),q(c.cost,.75).toFixed(2),'mm',q(c.cost,0).toFixed(2),q(c.cost,1).toFixed(2),'| ratio',q(r,.5).toFixed(3),'q',q(r,.25).toFixed(3),q(r,.75).toFixed(3),'mm',q(r,0).toFixed(3),q(r,1).toFixed(3),'| rate',q(c.rate,.5).toFixed(0),'client',q(c.client,.5).toFixed(2),'srv',(q(c.rate,.5)*q(c.cost,.5)/1e6).toFixed(2),pn)}}
for(const k of kill)k.stop();process.exit()
