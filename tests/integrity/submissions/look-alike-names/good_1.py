α = 1
σ_max = 2
Δx = 3
naïve = 4
