"""The reviewer pages: server-rendered, keyboard first, one small ES module each."""
