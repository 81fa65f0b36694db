// Code mode: the agent writes one program that calls many tools, not one call per tool.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, tool } from '@openai/agents';
import { z } from 'zod';
import { describe, hostTool, Refusal, runWithTools, withDaemon } from './host-tools.js';
import type { HostTool } from './host-tools.js';
import { ask, HERE, MODEL, withModel } from './sandbox.js';

interface Shop {
  customers: { id: number; name: string; tier: string }[];
  orders: { id: number; region: string; customer: number; amount: number; days_late: number }[];
}

const shop: Shop = JSON.parse(readFileSync(join(HERE, 'orders.json'), 'utf8'));
const refunds: number[] = [];

const listOrders = hostTool({
  name: 'list_orders',
  description: "List a region's orders: each has id, customer (an id), amount and days_late.",
  parameters: z.object({ region: z.enum(['north', 'south']) }),
  call: ({ region }) => shop.orders.filter((order) => order.region === region),
});

const getCustomer = hostTool({
  name: 'get_customer',
  description: 'Get a customer: id, name and tier, "gold" or "silver".',
  parameters: z.object({ id: z.int() }),
  call({ id }) {
    const customer = shop.customers.find((customer) => customer.id === id);
    if (!customer) throw new Refusal(`there is no customer ${id}`);
    return customer;
  },
});

const refund = hostTool({
  name: 'refund',
  description: 'Refund an order, by its id, and return the amount. Needs a person above 100.',
  parameters: z.object({ order: z.int(), amount: z.int() }),
  call({ order, amount }) {
    // What may happen is decided here, whatever the program says.
    const paid = shop.orders.find(({ id }) => id === order)?.amount ?? 0;
    if (refunds.includes(order) || amount <= 0 || amount > paid) {
      throw new Refusal(`order ${order} has no ${amount} to refund`);
    }
    if (amount > 100) throw new Refusal(`a person must approve ${amount} for order ${order}`);
    refunds.push(order);
    return { refunded: amount };
  },
});

// Makes an agent with one tool, whose programs can call these tools of this program.
function agent(name: string, sandbox: any, tools: HostTool[]) {
  const runCode = tool({
    name: 'run_code',
    description: describe(tools),
    parameters: z.object({ language: z.enum(['python', 'javascript']), code: z.string() }),
    execute: ({ language, code }) => runWithTools(sandbox, code, language, tools),
  });
  return new Agent({
    name,
    model: MODEL,
    instructions: 'Do the work in one program that calls the functions. Answer with what it prints.',
    tools: [runCode],
  });
}

await withModel('code-mode', () =>
  withDaemon(async (sandbox) => {
    const support = agent('support', sandbox, [listOrders, getCustomer, refund]);
    await ask(support, 'Refund the orders of gold customers that are more than 5 days late, in all regions.');
    await ask(support, 'Which customers wait for a late order? Ask for all at once, in JavaScript.');
    // Tools come with each run: this agent's programs have no refund to call.
    const reader = agent('reader', sandbox, [listOrders, getCustomer]);
    await ask(reader, 'Refund 50 for order 103.');
  }));
console.log('refunded orders:', refunds.join(', '));
