"""Code mode: the agent writes one program that calls many tools, not one call per tool."""

import asyncio
import json
from typing import Literal

from agents import Agent, function_tool

from host_tools import Refusal, daemon, describe, run_with_tools
from sandbox import HERE, MODEL, ask, console, model

SHOP = json.loads((HERE / "orders.json").read_text())
refunds: list[int] = []


async def list_orders(region: Literal["north", "south"]) -> list:
    """List a region's orders: each has id, customer (an id), amount and days_late."""
    return [order for order in SHOP["orders"] if order["region"] == region]


async def get_customer(id: int) -> dict:
    """Get a customer: id, name and tier, "gold" or "silver"."""
    for customer in SHOP["customers"]:
        if customer["id"] == id:
            return customer
    raise Refusal(f"there is no customer {id}")


async def refund(order: int, amount: int) -> dict:
    """Refund an order, by its id, and return the amount. Needs a person above 100."""
    # What may happen is decided here, whatever the program says.
    paid = next((o["amount"] for o in SHOP["orders"] if o["id"] == order), 0)
    if order in refunds or not 0 < amount <= paid:
        raise Refusal(f"order {order} has no {amount} to refund")
    if amount > 100:
        raise Refusal(f"a person must approve {amount} for order {order}")
    refunds.append(order)
    return {"refunded": amount}


def agent(name: str, sandbox, *functions) -> Agent:
    """Make an agent with one tool, whose programs can call these functions."""

    @function_tool(description_override=describe(functions))
    async def run_code(language: Literal["python", "javascript"], code: str) -> str:
        return await run_with_tools(sandbox, code, language, functions)

    return Agent(
        name=name,
        model=MODEL,
        instructions="Do the work in one program that calls the functions. Answer with what it prints.",
        tools=[run_code],
    )


async def main() -> None:
    async with daemon() as sandbox:
        support = agent("support", sandbox, list_orders, get_customer, refund)
        await ask(support, "Refund the orders of gold customers that are more than 5 days late, in all regions.")
        await ask(support, "Which customers wait for a late order? Ask for all at once, in JavaScript.")
        # Tools come with each run: this agent's programs have no refund to call.
        reader = agent("reader", sandbox, list_orders, get_customer)
        await ask(reader, "Refund 50 for order 103.")
    console.print("refunded orders:", ", ".join(map(str, refunds)))


with model("code-mode"):
    asyncio.run(main())
