raise BaseExceptionGroup("g", [SystemExit(3), KeyboardInterrupt()])
