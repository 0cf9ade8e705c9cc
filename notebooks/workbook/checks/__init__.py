"""The checkers, one module for each chapter, loaded when one of its exercises is first checked."""
