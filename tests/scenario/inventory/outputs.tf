locals {
  port = 2222
}
output "agents" {
  value = {
    server = { address = "127.0.0.1", port = local.port, user = "nobody", labels = { group = ["front", "all"] } }
    client = { address = "127.0.0.1", port = local.port, user = "nobody", labels = { group = ["all"] } }
  }
}
output "addresses" {
  value = ["10.0.0.1", "10.0.0.2"]
}
output "by_name" {
  value = { "web.example.com" = "10.0.0.1", db = "10.0.0.2" }
}
output "objects" {
  value = [{ name = "a", address = "10.0.0.1", user = null }, { name = "b", address = "fd00::1", user = "me" }]
}
output "count" {
  value = 3
}
output "password" {
  value     = "hunter2"
  sensitive = true
}
