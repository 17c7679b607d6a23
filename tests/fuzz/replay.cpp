// Feeds every file of a corpus folder to a fuzz target, and a few thousand seeded mutations of them, so that the
// normal test suite runs what the fuzzer found. Fails by crashing, as under the fuzzer.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void mutate(std::vector<std::uint8_t>& bytes, std::mt19937& random) {
    const auto at = [&] { return random() % (bytes.size() + 1); };
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
        switch (random() % 4) {
            case 0:
                if (!bytes.empty())
                    bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
                break;
            case 1:
                if (!bytes.empty())
                    bytes[random() % bytes.size()] ^=
                        static_cast<std::uint8_t>(1U << (random() % 8));
                break;
            case 2:
                bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at()),
                             static_cast<std::uint8_t>(random()));
                break;
            default:
                bytes.resize(at());
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    std::mt19937 random{20260801};
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
        std::ifstream in(entry.path(), std::ios::binary);
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        for (int i = 0; i < 200; ++i) {
            auto changed = bytes;
            mutate(changed, random);
            LLVMFuzzerTestOneInput(changed.data(), changed.size());
        }
        ++files;
    }
    if (files == 0) {
        std::fprintf(stderr, "%s holds no file\n", argv[1]);
        return 1;
    }
    std::printf("%zu files replayed\n", files);
    return 0;
}
