import { Load, ServerProcess, type Workload } from './load.ts'
const [names = '', conns='50', inf='1', size='64', every='0', ms='500', slices='20', gens='1', fan='']=process.argv.slice(2)
const w: Workload = { name:'', connections:+conns, inFlight:+inf, size:+size, every:+every, fan: fan==='fan' }
const q=(v:number[],p:number)=>{const s=v.toSorted((a,b)=>a-b);const k=(s.length-1)*p;const i=Math.floor(k);return s[i]!+((s[i+1]??s[i]!)-s[i]!)*(k-i)}
const list=names.split(',')
const all=new Map<number,number[]>(), genMed: number[][]=[]
let rate:Record<number,number[]>={}, cl:Record<number,number[]>={}
for(let g=0;g<+gens;g++){
  const loads:Load[]=[];const servers:ServerProcess[]=[]
  for(const n of list){const s=await ServerProcess.start(n);servers.push(s);loads.push(await Load.on(s,w))}
  for(const l of loads){l.start();await l.sample(+process.env.WARM!||1000);l.stop();await new Promise(r=>setTimeout(r,50))}
  const here=list.map(()=>[] as number[])
  for(let i=0;i<+slices;i++) for(let j=0;j<loads.length;j++){ const k=(j+i)%loads.length; const l=loads[k]!
    l.start(); await new Promise(r=>setTimeout(r,50)); const s=await l.sample(+ms); l.stop(); await new Promise(r=>setTimeout(r,30))
    here[k]!.push(s.cost);(rate[k]??=[]).push(s.rate);(cl[k]??=[]).push(s.client)
  }
  for(const [k,v] of here.entries()) all.set(k,[...(all.get(k)??[]),...v])
  genMed.push(here.map(v=>q(v,.5)))
  for(const l of loads)l.close(); for(const s of servers)s.stop()
}
const b=all.get(0)!
for(const [k,v] of all){const r=v.map((x,i)=>x/b[i]!)
 const gr=genMed.map(g=>g[k]!/g[0]!)
 console.log(list[k]!.padEnd(18),'med',q(v,.5).toFixed(2),'min',q(v,0).toFixed(2),'max',q(v,1).toFixed(2),'| ratio',q(r,.5).toFixed(3),'q',q(r,.25).toFixed(3),q(r,.75).toFixed(3),'mm',q(r,0).toFixed(3),q(r,1).toFixed(3),'| rate',q(rate[k]!,.5).toFixed(0),'client',q(cl[k]!,.5).toFixed(2),'| gens',gr.map(x=>x.toFixed(3)).join(' '))}
process.exit()
