job "sandboxd" {
  datacenters = ["dc1"]
  type        = "service"

  group "sandboxd" {
    count = 2

    network {
      port "https" {
        to = 8443
      }
    }

    service {
      name     = "sandboxd"
      port     = "https"
      provider = "nomad"

      check {
        type            = "http"
        protocol        = "https"
        tls_skip_verify = true
        path            = "/readyz"
        interval        = "10s"
        timeout         = "2s"
      }
    }

    task "sandboxd" {
      driver       = "docker"
      user         = "65532:65532"
      kill_signal  = "SIGTERM"
      kill_timeout = "40s"

      config {
        image           = "registry.example/sandboxd:latest"
        ports           = ["https"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        volumes = [
          "local/sandbox.toml:/etc/sandboxd/sandbox.toml:ro",
          "secrets/tls:/tls:ro",
        ]

        mount {
          type   = "tmpfs"
          target = "/tmp"
          tmpfs_options {
            size = 268435456
            mode = 1023
          }
        }
      }

      template {
        data          = "{{ key \"sandboxd/sandbox.toml\" }}"
        destination   = "local/sandbox.toml"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      resources {
        cpu    = 2000
        memory = 1024
      }
    }
  }
}
