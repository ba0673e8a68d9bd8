// SystemRandom: the kernel's random numbers.
#pragma once

#include "oj/random.h"

namespace oj {

class SystemRandom final : public Random {
 public:
  std::uint64_t Next() override;
};

}  // namespace oj
