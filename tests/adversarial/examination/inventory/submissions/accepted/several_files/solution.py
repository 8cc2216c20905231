from stock.core import Inventory, Item, OutOfStock, merge

__all__ = ['Inventory', 'Item', 'OutOfStock', 'merge']
