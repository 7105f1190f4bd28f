"""The console: draws what the projection holds, and sends what the operator asks for."""
