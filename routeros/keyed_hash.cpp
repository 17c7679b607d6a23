#include "routeros/keyed_hash.h"

#include <random>

#include "matchers/fold_product.h"

namespace steer::routeros {
namespace {

struct HashSecret {
    std::uint64_t high, low, last;
};

HashSecret& hash_secret() noexcept {
    static HashSecret secret = [] {
        std::random_device random;
        const auto word = [&] { return (std::uint64_t{random()} << 32) | random(); };
        return HashSecret{word(), word(), word() | 1};
    }();
    return secret;
}

}  // namespace

std::size_t keyed_hash(std::uint64_t high, std::uint64_t low, std::uint64_t kind) noexcept {
    const HashSecret& secret = hash_secret();
    using matchers::fold_product;
    return fold_product(fold_product(high ^ secret.high, low ^ secret.low) ^ kind, secret.last);
}

void use_hash_secret(std::uint64_t secret) {
    std::mt19937_64 words(secret);
    hash_secret() = {words(), words(), words() | 1};
}

}  // namespace steer::routeros
