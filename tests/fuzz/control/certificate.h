// A certificate that signs itself, and its key, for targets that need one. Nothing else uses them.
#pragma once

namespace steer::fuzz {

inline constexpr const char* kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgzCCASmgAwIBAgIUOe5aR6zzp6W/Mk0zqddiR+t7K84wCgYIKoZIzj0EAwIw\n"
    "FjEUMBIGA1UEAwwLZG5zLmV4YW1wbGUwIBcNMjYxMTI3MjExMzMxWhgPMjEyNjEx\n"
    "MDMyMTEzMzFaMBYxFDASBgNVBAMMC2Rucy5leGFtcGxlMFkwEwYHKoZIzj0CAQYI\n"
    "KoZIzj0DAQcDQgAEkUxHi1UPG3AImAGk/4HyWnLoTHB6X9osbZ1tdaDW0eAFzIiV\n"
    "99gQwGT+pabOY+iJBRNwIhnS8y893ayDfP9W8qNTMFEwHQYDVR0OBBYEFGfRqZvS\n"
    "HsBJzPIXb7WEOPQS/PBAMB8GA1UdIwQYMBaAFGfRqZvSHsBJzPIXb7WEOPQS/PBA\n"
    "MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgNQ6+2auVLXkZi9Ji\n"
    "Pw7dma+wcACPV0Di7NOYWuPopEcCIQCBjEucVn0C04mIikBduCPsGZxIX0rKNSfu\n"
    "Vao65W99Iw==\n"
    "-----END CERTIFICATE-----\n";
inline constexpr const char* kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwE+00yjEghLgZFi3\n"
    "HIPGtkXPCO64YQzaRLuzYTrbIuShRANCAASRTEeLVQ8bcAiYAaT/gfJacuhMcHpf\n"
    "2ixtnW11oNbR4AXMiJX32BDAZP6lps5j6IkFE3AiGdLzLz3drIN8/1by\n"
    "-----END PRIVATE KEY-----\n";

}  // namespace steer::fuzz
